// The order of numbers as one of integers above 0: NaN above all, -0 as 0.
FUNCTION uint rank_of(float x) {
  uint bits = as_uint(x + 0.0f);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return 0xffffffffu;
  }
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

FUNCTION float number_of(uint rank) { return as_float(rank & 0x80000000u ? rank & 0x7fffffffu : ~rank); }

// Work-item 0 gets the highest rank of the group, of equal ones the lowest column.
FUNCTION void best_of_group(__local uint *ranks, __local int *columns) {
  int item = get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_size = get_local_size(0) / 2; half_size > 0; half_size /= 2) {
    if (item < half_size) {
      int other = item + half_size;
      if (ranks[other] > ranks[item] || (ranks[other] == ranks[item] && columns[other] < columns[item])) {
        ranks[item] = ranks[other];
        columns[item] = columns[other];
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

// The largest numbers of one row per work-group, and the sum of exponentials if wanted. Each work-item knows the best
// of its own columns, stretches of which lie in turns. When the best of all is taken, everybody looks through its
// owner's columns for the next one there. So a row is read once, and once more for the sum. Memory: 4 numbers per
// work-item. No barrier is in a branch: PoCL 3.1 gets those wrong.
__kernel void largest(
    MATRIX(x), int columns, int stretch, int count, MATRIX(found), VECTOR(places), MATRIX(sums)
        LOCAL_PARAMETER(memory)) {
  LOCAL_MEMORY(memory)
  int row = get_group_id(0);
  int item = get_local_id(0);
  int items = get_local_size(0);
  __local uint *own_ranks = (__local uint *)memory;
  __local int *own_columns = (__local int *)(own_ranks + items);
  __local uint *ranks = (__local uint *)(own_columns + items);
  __local int *at = (__local int *)(ranks + items);

  uint best = 0;
  int best_column = columns;
  for (int base = item * stretch; base < columns; base += items * stretch) {
    int end = base + stretch < columns ? base + stretch : columns;
    for (int i = base; i < end; i++) {
      uint rank = rank_of(LOAD(x, row, i));
      if (rank > best) {
        best = rank;
        best_column = i;
      }
    }
  }
  own_ranks[item] = best;
  own_columns[item] = best_column;

  float most = 0.0f;
  for (int j = 0; j < count; j++) {
    ranks[item] = own_ranks[item];
    at[item] = own_columns[item];
    best_of_group(ranks, at);
    uint taken = ranks[0];
    int taken_column = at[0];
    most = j == 0 ? number_of(taken) : most;
    barrier(CLK_LOCAL_MEM_FENCE);

    // The next of the one that had it: behind what is taken in the order of ranks and columns.
    int owner = taken_column / stretch % items;
    int wanted = j + 1 < count ? columns : 0;
    best = 0;
    best_column = columns;
    for (int base = (owner + item * items) * stretch; base < wanted; base += items * items * stretch) {
      int end = base + stretch < columns ? base + stretch : columns;
      for (int i = base; i < end; i++) {
        uint rank = rank_of(LOAD(x, row, i));
        if (rank > best && (rank < taken || (rank == taken && i > taken_column))) {
          best = rank;
          best_column = i;
        }
      }
    }
    ranks[item] = best;
    at[item] = best_column;
    best_of_group(ranks, at);
    if (item == 0) {
      STORE(found, row, j, number_of(taken));
      INTS(places)[(ulong)row * count + j] = taken_column;
      own_ranks[owner] = ranks[0];
      own_columns[owner] = at[0];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  // Compensated: a work-item adds up hundreds.
  float sum = 0.0f;
  float lost = 0.0f;
  int summed = sums ? columns : 0;
  for (int i = item; i < summed; i += items) {
    float summand = exp(LOAD(x, row, i) - most) - lost;
    float next = sum + summand;
    lost = (next - sum) - summand;
    sum = next;
  }
  sum = sum_of_group(memory, sum);
  if (sums && item == 0) {
    STORE(sums, row, 0, sum);
  }
}
