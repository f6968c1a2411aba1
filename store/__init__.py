"""The record, and the vocabulary that every room shares."""
