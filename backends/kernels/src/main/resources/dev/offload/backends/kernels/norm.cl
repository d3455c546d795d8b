// RMSNorm, or LayerNorm where there is a bias, of one head of one row per work-group; a row without heads is one
// head. With y present, x += y before. out may be x: a work-item reads no column but those it writes. No barrier is
// in a branch: PoCL 3.1 gets those wrong.
__kernel void norm_rows(
    MATRIX(x), int heads, int width, MATRIX(y), VECTOR(weight), VECTOR(bias), float epsilon, float unit_offset,
    MATRIX(out) LOCAL_PARAMETER(memory)) {
  LOCAL_MEMORY(memory)
  int row = get_group_id(0) / heads;
  int first = (get_group_id(0) % heads) * width;
  int item = get_local_id(0);
  int items = get_local_size(0);
  if (y) {
    for (int i = item; i < width; i += items) {
      STORE(x, row, first + i, LOAD(x, row, first + i) + LOAD(y, row, first + i));
    }
  }
  float sum = 0.0f;
  if (bias) {
    for (int i = item; i < width; i += items) {
      sum += LOAD(x, row, first + i);
    }
  }
  float mean = sum_of_group(memory, sum) / width; // 0 without bias
  float squares = 0.0f;
  for (int i = item; i < width; i += items) {
    float d = LOAD(x, row, first + i) - mean;
    squares = fma(d, d, squares);
  }
  float deviation = sqrt(sum_of_group(memory, squares) / width + epsilon);
  for (int i = item; i < width; i += items) {
    float normed = (LOAD(x, row, first + i) - mean) / deviation * (FLOATS(weight)[i] + unit_offset);
    STORE(out, row, first + i, bias ? normed + FLOATS(bias)[i] : normed);
  }
}
