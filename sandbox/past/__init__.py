"""The years before today: a company's months, lived through by the product itself on clocks that are moved on."""
