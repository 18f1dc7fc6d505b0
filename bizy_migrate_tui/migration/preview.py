"""The preview: the plan row by row, a page at a time, so that a million rows open as fast as ten."""


class Preview:
    def __init__(self, plan: object) -> None: ...
