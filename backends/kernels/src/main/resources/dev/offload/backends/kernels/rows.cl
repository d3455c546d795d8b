// Row by row: a work-group has a row, its work-items the columns.

__kernel void convert(MATRIX(x), int columns, MATRIX(out)) {
  int row = get_group_id(0);
  for (int i = get_local_id(0); i < columns; i += get_local_size(0)) {
    STORE(out, row, i, LOAD(x, row, i));
  }
}

__kernel void add(MATRIX(x), int columns, MATRIX(y)) {
  int row = get_group_id(0);
  for (int i = get_local_id(0); i < columns; i += get_local_size(0)) {
    STORE(x, row, i, LOAD(x, row, i) + LOAD(y, row, i));
  }
}

// Puts the same numbers into every row, or adds them to it.
__kernel void set_rows(VECTOR(numbers), int columns, int accumulate, MATRIX(out)) {
  int row = get_group_id(0);
  for (int i = get_local_id(0); i < columns; i += get_local_size(0)) {
    float number = FLOATS(numbers)[i];
    STORE(out, row, i, accumulate ? LOAD(out, row, i) + number : number);
  }
}

__kernel void scale_rows_by_sigmoid(MATRIX(x), int columns, MATRIX(gate)) {
  int row = get_group_id(0);
  float factor = sigmoid(LOAD(gate, row, 0));
  for (int i = get_local_id(0); i < columns; i += get_local_size(0)) {
    STORE(x, row, i, LOAD(x, row, i) * factor);
  }
}

__kernel void soft_cap(MATRIX(x), int columns, float cap) {
  int row = get_group_id(0);
  for (int i = get_local_id(0); i < columns; i += get_local_size(0)) {
    STORE(x, row, i, cap * tanh(LOAD(x, row, i) / cap));
  }
}

__kernel void gather_rows(
    MATRIX(table), int rows, int columns, VECTOR(indices), MATRIX(out), __global int *status) {
  int row = get_group_id(0);
  int from = INTS(indices)[row];
  if (from < 0 || from >= rows) {
    if (get_local_id(0) == 0) {
      fail(status, ROW_OUT_OF_RANGE, from, rows, row);
    }
    return;
  }
  for (int i = get_local_id(0); i < columns; i += get_local_size(0)) {
    STORE(out, row, i, LOAD(table, from, i));
  }
}

__kernel void combine(
    MATRIX(y), int rows, int columns, VECTOR(chosen), MATRIX(weights), int per_token, int accumulate,
    MATRIX(out), __global int *status) {
  int token = get_group_id(0);
  const __global int *mine = INTS(chosen) + (ulong)token * per_token;
  for (int j = 0; j < per_token; j++) {
    if (mine[j] < 0 || mine[j] >= rows) {
      if (get_local_id(0) == 0) {
        fail(status, ROW_OUT_OF_RANGE, mine[j], rows, token * per_token + j);
      }
      return;
    }
  }
  for (int i = get_local_id(0); i < columns; i += get_local_size(0)) {
    float sum = accumulate ? LOAD(out, token, i) : 0.0f;
    for (int j = 0; j < per_token; j++) {
      sum = fma(LOAD(weights, token, j), LOAD(y, mine[j], i), sum);
    }
    STORE(out, token, i, sum);
  }
}
