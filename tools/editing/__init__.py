"""Pictures that models edit: back ends that change pixels after words, and the proof of what each edit changed."""
