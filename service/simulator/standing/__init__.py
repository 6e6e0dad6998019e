"""What local venues say of open interest, funding and marks, as the venues' pages show it: one file a dialect."""
