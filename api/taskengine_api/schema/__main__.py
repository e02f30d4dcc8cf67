"""Prints the schema without any task's mutations: ``python -m taskengine_api.schema > api/schema.graphql``."""

import sys

from taskengine_api.schema.build import Schema

sys.stdout.write(Schema().sdl())
