"""The shop's own tests need the fixtures of taskengine's plugin and a project around them: test_shop.py runs them."""

collect_ignore = ["shop"]
