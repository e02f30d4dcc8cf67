"""A small shop, as somebody who only uses TaskEngine would write it. It lives outside the package."""
