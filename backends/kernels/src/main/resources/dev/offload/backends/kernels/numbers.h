// Number formats, as in KernelNumbers.
#define F32 0
#define F16 1
#define BF16 2

FUNCTION float load_number(const __global uchar *base, ulong index, int type) {
  if (type == F32) {
    return *(const __global float *)(base + 4 * index);
  }
  if (type == F16) {
    return load_f16(base + 2 * index);
  }
  return as_float((uint) * (const __global ushort *)(base + 2 * index) << 16);
}

// To the nearest, ties to even, on bits, so that no device flushes small numbers.
FUNCTION ushort round_to_bf16(float x) {
  uint bits = as_uint(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return (ushort)0x7fc0;
  }
  return (ushort)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

FUNCTION void store_number(__global uchar *base, ulong index, int type, float x) {
  if (type == F32) {
    *(__global float *)(base + 4 * index) = x;
  } else if (type == F16) {
    store_f16(base + 2 * index, x);
  } else {
    *(__global ushort *)(base + 2 * index) = round_to_bf16(x);
  }
}

// Parameters of a matrix, and one of its numbers.
#define MATRIX(m) __global uchar *m, ulong m##_offset, int m##_type, int m##_stride
#define LOAD(m, row, column) load_number(m + m##_offset, (ulong)(row)*m##_stride + (column), m##_type)
#define STORE(m, row, column, x) store_number(m + m##_offset, (ulong)(row)*m##_stride + (column), m##_type, x)

// Parameters of a vector of F32 or int, and where it lies.
#define VECTOR(v) __global uchar *v, ulong v##_offset
#define FLOATS(v) ((__global float *)(v + v##_offset))
#define INTS(v) ((__global int *)(v + v##_offset))

// Failures; Failure.java turns them into words.
#define ROW_OUT_OF_RANGE 1
#define BLOCK_OUT_OF_RANGE 2
#define ROWS_CONTRADICT 3
#define CONTEXT_CONTRADICTS 4
#define PREFIX_NOT_SHARED 5
#define ROW_IN_PREFIX 6

// The first failure since the status was cleared stays.
FUNCTION void fail(volatile __global int *status, int failure, int a, int b, int c) {
  if (atomic_cmpxchg(status, 0, failure) == 0) {
    status[1] = a;
    status[2] = b;
    status[3] = c;
  }
}

// Sum of one number per work-item; all get it. Uses as many floats as there are work-items, a power of two.
FUNCTION float sum_of_group(__local float *memory, float x) {
  int item = get_local_id(0);
  memory[item] = x;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_size = get_local_size(0) / 2; half_size > 0; half_size /= 2) {
    if (item < half_size) {
      memory[item] += memory[item + half_size];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  float sum = memory[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return sum;
}

FUNCTION float max_of_group(__local float *memory, float x) {
  int item = get_local_id(0);
  memory[item] = x;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_size = get_local_size(0) / 2; half_size > 0; half_size /= 2) {
    if (item < half_size) {
      memory[item] = fmax(memory[item], memory[item + half_size]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  float largest = memory[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return largest;
}

FUNCTION float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }
