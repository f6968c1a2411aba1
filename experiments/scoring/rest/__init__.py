"""The rest of the scoring protocol, after the sealed test: what frozen words are worth beyond their correlation.

Hard negatives, pictures made from the words, places in the picture, near misses among test pictures (protocol points 4
and 5). Each adds scores on `test` beside those that stand; words, status and primary score are left as they are.
"""
