# What TaskEngine uses of Huey 3.5, which has no types of its own.
