"""The engine that the sample tasks belong to."""

from taskengine import TaskEngine

engine = TaskEngine.from_env()
