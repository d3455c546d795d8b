package dev.offload.text.jinja;

/** Python's None, which is not the same as undefined. */
enum None {
  NONE
}
