"""What is good and what is bad in a set of captioned pictures, before it is trained on."""
