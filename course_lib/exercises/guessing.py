"""The part of a question that takes a guess before an experiment and shows it beside the outcome."""

from course_lib.exercises.answers import one, plain, shown, wrapped


class Guessing:
    """What a `Question` does with guesses; it brings the fields."""

    @property
    def guess(self) -> str | float | None:
        """The guess that was taken, or None."""
        return self.entry.guess

    def predict(self, *choice: str | float | None) -> None:
        """Takes a guess before the experiment; `outcome` shows it beside what was measured."""
        print(wrapped(f"{self}\n→ {self.take_guess(*choice)}"))

    def take_guess(self, *choice: str | float | None) -> str:
        """Notes a guess and returns the reply to it."""
        choice = self.read(one(choice))
        taken = self._is_guess(choice)
        self.keep(guess=choice if taken else None)
        if taken:
            return f"Your guess: {choice}. Now run the experiment."
        if choice is None or choice is ...:
            return f"No guess yet: replace None by {self.expects}, then run the experiment."
        if self.options:
            return f"{shown(choice)} is none of the options: guess {self.expects}, then run the experiment."
        if self.kind == "guess":
            return f"{shown(choice)} cannot be a guess: guess {self.expects}, then run the experiment."
        return f"{self.name} is answered, not guessed: {self.name}.check({shown(choice)})."

    def _is_guess(self, choice: object) -> bool:
        if self.options:
            return self._is_option(choice)
        return self.kind == "guess" and type(choice) in (int, float) and abs(choice) < 1e300

    def outcome(self, measured: str | float, finding: str) -> None:
        """Shows the guess beside the measured outcome, and what speaks for a guess that did not come true.

        Where somebody can answer and has not guessed yet, it asks for a guess first.

        Args:
            measured: the letter that the experiment came out as, or the number that it measured.
            finding: the measured numbers, as a sentence.

        Raises:
            ValueError: `measured` cannot be an outcome of this question.
        """
        if not self._is_guess(plain(measured)):
            raise ValueError(f"{self.name}.outcome takes {self.expects}, not {measured!r}")
        from course_lib.exercises import card

        card.show_outcome(self, plain(measured), finding)

    def compared(self, measured: str | float, finding: str) -> str:
        """Returns the guess beside the outcome, the finding, and the reply to a guess that did not come true."""
        guessed = "no guess given" if self.guess is None else f"your guess {self.guess}"
        meaning = f": {self.options[measured]}" if self.options else ""
        lines = [f"{self.name} · {guessed} | outcome {measured}{meaning}", finding]
        if self.guess != measured and self.guess in self.wrong:
            lines.append(self.wrong[self.guess])
        return "\n".join(lines)
