"""What subscribers say to the bot and what it answers. Sends no alert; keeps nothing but what a chat asked for."""
