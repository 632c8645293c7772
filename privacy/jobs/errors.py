"""What a job may say about itself (RIGHTS-7)."""


class TryLater(Exception):
    """Not now: run me again after ``seconds``. Not counted as a failed attempt."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds
