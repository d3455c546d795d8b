// Rotates the pairs of all heads of a row.
__kernel void rope(MATRIX(x), int heads, int width, int dimensions, int interleaved, MATRIX(factors)) {
  int row = get_group_id(0);
  int pairs = dimensions / 2;
  for (int p = get_local_id(0); p < heads * pairs; p += get_local_size(0)) {
    int i = p % pairs;
    int head = (p / pairs) * width;
    int first = head + (interleaved ? 2 * i : i);
    int second = head + (interleaved ? 2 * i + 1 : i + pairs);
    float a = LOAD(x, row, first);
    float b = LOAD(x, row, second);
    float c = LOAD(factors, row, i);
    float s = LOAD(factors, row, pairs + i);
    STORE(x, row, first, a * c - b * s);
    STORE(x, row, second, b * c + a * s);
  }
}
