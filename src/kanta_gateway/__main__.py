"""Entry point of the command `kanta-gateway`; the commands live in `cli`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from kanta_gateway.cli import run  # noqa: PLC0415 — heavy imports only when a command runs

    run()


if __name__ == "__main__":
    main()
