"""What all four services share; it never imports one of them."""
