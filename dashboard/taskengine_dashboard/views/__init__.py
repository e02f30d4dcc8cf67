"""The pages, a package each: ``questions`` (what it asks), ``tables`` (as Arrow), ``page`` (``render()`` draws it)."""
