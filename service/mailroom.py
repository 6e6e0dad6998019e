"""Everything that carries alerts to people, built from the settings: couriers, outbox, Telegram. Holds no rule."""
