// Instead of ptx.h. Where the lanes of a warp have the numbers of a matrix is as PTX ISA has it for mma.m16n8k16 with
// .bf16 and for ldmatrix with .x4.trans.
FUNCTION float load_f16(const uchar *at) {
  _Float16 x;
  memcpy(&x, at, 2);
  return (float)x;
}
FUNCTION void store_f16(uchar *at, float x) {
  _Float16 y = (_Float16)x;
  memcpy(at, &y, 2);
}

FUNCTION ushort round_to_bf16(float x);
FUNCTION uint pack_bf16(float first, float second) {
  return round_to_bf16(first) | (uint)round_to_bf16(second) << 16;
}

FUNCTION void load_transposed(uint *out, const ushort *row) {
  using namespace emulated;
  if ((size_t)row % 16 != 0) {
    fprintf(stderr, "a row for ldmatrix is not at 16 bytes\n");
    abort();
  }
  mine().row = row;
  wait_for_warp();
  for (int matrix = 0; matrix < 4; matrix++) {
    int i = lane_number() % 4 * 2;
    int column = lane_number() / 4;
    out[matrix] = lane(matrix * 8 + i).row[column] | (uint)lane(matrix * 8 + i + 1).row[column] << 16;
  }
  wait_for_warp();
}

FUNCTION double half_of(uint pair, int upper) { return as_float(upper ? pair & 0xffff0000u : pair << 16); }

// Tensor cores do not round to the nearest: what does not fit is cut off.
FUNCTION float cut(double x) {
  float y = (float)x;
  return fabs((double)y) > fabs(x) ? std::nextafter(y, 0.0f) : y;
}

FUNCTION void multiply_add(float *c, const uint *a, uint b0, uint b1) {
  using namespace emulated;
  memcpy(mine().a, a, sizeof mine().a);
  mine().b[0] = b0;
  mine().b[1] = b1;
  wait_for_warp();
  for (int i = 0; i < 4; i++) {
    int row = lane_number() / 4 + i / 2 * 8;
    int column = lane_number() % 4 * 2 + i % 2;
    double sum = c[i];
    for (int k = 0; k < 16; k++) {
      uint left = lane(row % 8 * 4 + k % 8 / 2).a[row / 8 + k / 8 * 2];
      uint right = lane(column * 4 + k % 8 / 2).b[k / 8];
      sum += half_of(left, k % 2) * half_of(right, k % 2);
    }
    c[i] = cut(sum);
  }
  wait_for_warp();
}

FUNCTION float of_neighbour(float x, int bits) {
  using namespace emulated;
  mine().x = x;
  wait_for_warp();
  float y = lane(lane_number() ^ bits).x;
  wait_for_warp();
  return y;
}

FUNCTION void begin_copy16(ushort *to, const uchar *from) {
  if (((size_t)to | (size_t)from) % 16 != 0) {
    fprintf(stderr, "16 bytes are not at 16 bytes\n");
    abort();
  }
  emulated::current->copies.push_back({to, from});
}

FUNCTION void await_copies() {
  for (auto &copy : emulated::current->copies) {
    memcpy(copy.first, copy.second, 16);
  }
  emulated::current->copies.clear();
}
