from typing import Any

EmptyData: Any
