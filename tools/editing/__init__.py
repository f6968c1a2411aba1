"""Models that edit pictures: back ends that change pixels after words, and what is checked of what comes back."""
