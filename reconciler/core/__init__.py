"""What a spec means, how it differs from Azure and what to do about it: pure, no I/O, no clock."""
