"""What is done to a drawn image before it becomes pixels: Keras operations, exported with it."""
