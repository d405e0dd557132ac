"""Speed and accuracy of the quick solver beside other programs, on the same work."""
