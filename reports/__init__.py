"""Pages and report files, made from the store alone."""
