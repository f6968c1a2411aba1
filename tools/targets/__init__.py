"""Targets: the models under study, whatever their family. One module for each thing that can be done with one."""
