"""Telegram: the messages of the outbox, inside its limits. Decides neither who wants what nor what is an alert."""
