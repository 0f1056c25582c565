"""The shipped samples of the number and label tasks."""
