"""Train the reader: build a data set, train, evaluate."""
