"""What pipelines cost: credits a month from schedules, durations and sizes; no account is asked."""
