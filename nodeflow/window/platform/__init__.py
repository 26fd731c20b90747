"""The toolkit and the machine: display, fonts, colours, keys, pointer, waiting."""
