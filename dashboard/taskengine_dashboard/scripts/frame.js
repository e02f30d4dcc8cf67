// What a page needs the browser for: keys, whether anyone looks, what to remember, and leaving.
//
// data: { places: {key: page}, remember: {name: value}, theme: System | Light | Dark, pages: [page], drawer: name, leave: bool }
// triggers: pressed (an action or a page), state: hidden
const TYPING = "input, textarea, select, [contenteditable=true], [role=combobox], [role=textbox]";
const ACTIONS = { "?": "help", r: "refresh", p: "pause" };
const CHORD_MS = 1500;
const REDRAW_MS = 1000;

let listening = new AbortController();
let kept = {};
let worn; // since this page was loaded

// Another tab may have chosen something else since: only what is new here is written.
function remember(choices) {
  for (const [name, value] of Object.entries(choices))
    if (kept[name] !== value)
      document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=strict`;
  kept = choices;
}

// Streamlit reads its theme when a page is loaded, and keeps it for each address alone: one choice holds for all.
function wear(theme, pages) {
  if (worn === theme) return false; // another tab may have chosen another since
  worn = theme;
  const keys = [".", ...pages].map((page) => `stActiveTheme-${new URL(page, document.baseURI).pathname}-v2`);
  try {
    const others = keys.filter((key) => (localStorage.getItem(key) ?? '"System"') !== JSON.stringify(theme));
    for (const key of others) localStorage.setItem(key, JSON.stringify(theme));
    return others.length > 0;
  } catch {
    return false; // this browser lets no page keep anything: Streamlit asks it what it prefers, each time
  }
}

function floats() {
  return document.querySelector("[role=dialog]");
}

function escape(dialog) {
  dialog.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
}

function opened(drawer) {
  return new URLSearchParams(location.search).get(drawer);
}

// After an action the drawer is taken away and drawn anew: who pressed Escape in between meant it. It may stand a while
// before it hears, and what was drawn meanwhile may bring it back once more, until the address has let it go.
function closeOnceDrawn(drawer) {
  const shown = opened(drawer);
  const until = performance.now() + REDRAW_MS;
  const look = () => {
    if (opened(drawer) !== shown || performance.now() > until) return;
    const dialog = floats();
    if (dialog) escape(dialog);
    requestAnimationFrame(look);
  };
  look();
}

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  // It is called again with each new data.
  listening.abort();
  const mine = (listening = new AbortController());
  const { signal } = mine;
  remember(data.remember);
  if (wear(data.theme, data.pages)) location.reload();
  if (data.leave) leave();

  let chord = 0;
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    const dialog = floats();
    // What floats over the page hears keys only within itself, and the button that had the focus may be gone by now.
    if (dialog && event.key === "Escape" && event.target === document.body) escape(dialog);
    if (!dialog && event.key === "Escape" && opened(data.drawer)) closeOnceDrawn(data.drawer);
    if (dialog || event.target.closest?.(TYPING)) return;
    const going = performance.now() - chord < CHORD_MS;
    chord = 0;
    if (going && data.places[event.key]) setTriggerValue("pressed", data.places[event.key]);
    else if (event.key === "g") chord = performance.now();
    else if (event.key === "/") document.querySelector("[data-testid=stMain] input[type=search]")?.focus();
    else if (ACTIONS[event.key]) setTriggerValue("pressed", ACTIONS[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const looked = () => setStateValue("hidden", document.hidden);
  document.addEventListener("keydown", pressed, { capture: true, signal });
  document.addEventListener("visibilitychange", looked, { signal });
  if (document.hidden) looked(); // opened behind another tab
  parentElement.dataset.listens = ""; // for whoever presses keys as soon as they are heard: our tests
  return () => mine.abort(); // not another's, which may listen already
}

async function leave() {
  try {
    const answer = await fetch(new URL("auth/logout", document.baseURI), { method: "POST" });
    if (answer.status === 200) return location.assign((await answer.json()).leads_to); // the provider signs out as well
  } catch {
    // The page that is loaded says who is signed in.
  }
  location.reload();
}
