"""What we were told: settings, outlets, watches, concepts and channels. Nothing here acts."""
