"""What is told of an experiment: one file a topic, each with a title, sentences and a table."""
