"""What pages are made of: ``parts.header``, ``parts.table``, ``parts.ask`` … whatever more than one page draws."""

from taskengine_dashboard.parts.asking import Question, ask, open_question
from taskengine_dashboard.parts.browser import browser, leave, open_help
from taskengine_dashboard.parts.bulk import ask_about_all, bulk_progress
from taskengine_dashboard.parts.cards import card_title, choose_cards, figures, finished_over_time, states_in_words
from taskengine_dashboard.parts.charts import chart, is_dark
from taskengine_dashboard.parts.empty import nothing_here, offer_to_enqueue
from taskengine_dashboard.parts.grids import chips, small_table, state_badge, state_column, table, time_column
from taskengine_dashboard.parts.header import header, heading, wait_for_first_answer
from taskengine_dashboard.parts.holding import ask_for_limits, ask_to_pause, tell
from taskengine_dashboard.parts.kpi import Kpi, kpi_cards
from taskengine_dashboard.parts.live import live, refresh_seconds
from taskengine_dashboard.parts.notices import remember, show_notice
from taskengine_dashboard.parts.preferences import recall
from taskengine_dashboard.parts.renewal import renewal
from taskengine_dashboard.parts.sidebar import graphiql_url, logo, sidebar
from taskengine_dashboard.parts.sign_in import sign_in_form
from taskengine_dashboard.parts.sparks import spark
from taskengine_dashboard.parts.times import Window, choose_window, chosen_window, span_of, viewer_zone

__all__ = [
    "Kpi",
    "Question",
    "Window",
    "ask",
    "ask_about_all",
    "ask_for_limits",
    "ask_to_pause",
    "browser",
    "bulk_progress",
    "card_title",
    "chart",
    "chips",
    "choose_cards",
    "choose_window",
    "chosen_window",
    "figures",
    "finished_over_time",
    "graphiql_url",
    "header",
    "heading",
    "is_dark",
    "kpi_cards",
    "leave",
    "live",
    "logo",
    "nothing_here",
    "offer_to_enqueue",
    "open_help",
    "open_question",
    "recall",
    "refresh_seconds",
    "remember",
    "renewal",
    "show_notice",
    "sidebar",
    "sign_in_form",
    "small_table",
    "span_of",
    "spark",
    "state_badge",
    "state_column",
    "states_in_words",
    "table",
    "tell",
    "time_column",
    "viewer_zone",
    "wait_for_first_answer",
]
