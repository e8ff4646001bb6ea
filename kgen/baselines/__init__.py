"""What kgen is measured against: the article's model, which redraws a picture by a caption."""
