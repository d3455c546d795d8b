// OpenCL C words in CUDA C++, as far as the kernels use them.
#define __kernel extern "C" __global__
#define __global
#define __local
#define FUNCTION static __device__ __forceinline__
#define LOCAL_PARAMETER(name)
#define LOCAL_MEMORY(name) extern __shared__ float name[];
#define CLK_LOCAL_MEM_FENCE
#define CLK_GLOBAL_MEM_FENCE
#define barrier(fence) __syncthreads()
#define uchar unsigned char
#define ushort unsigned short
#define uint unsigned int
#define ulong unsigned long long
#define as_float(x) __uint_as_float(x)
#define as_uint(x) __float_as_uint(x)
#define atomic_cmpxchg(at, expected, value) atomicCAS((int *)(at), expected, value)
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif

FUNCTION int get_local_id(int i) { return i == 0 ? threadIdx.x : threadIdx.y; }
FUNCTION int get_group_id(int i) { return i == 0 ? blockIdx.x : blockIdx.y; }
FUNCTION int get_local_size(int i) { return i == 0 ? blockDim.x : blockDim.y; }

// Eight floats that a work-item computes with at once.
struct floats8 {
  float x[8];
};
FUNCTION floats8 zero8() { return floats8{}; }
#define EACH8(expression)                                                                                    \
  floats8 a;                                                                                                 \
  _Pragma("unroll") for (int i = 0; i < 8; i++) {                                                            \
    a.x[i] = expression;                                                                                     \
  }                                                                                                          \
  return a;
FUNCTION floats8 splat8(float x) { EACH8(x) }
FUNCTION floats8 operator+(floats8 x, floats8 y) { EACH8(x.x[i] + y.x[i]) }
FUNCTION floats8 operator-(floats8 x, floats8 y) { EACH8(x.x[i] - y.x[i]) }
FUNCTION floats8 operator*(floats8 x, floats8 y) { EACH8(x.x[i] * y.x[i]) }
FUNCTION floats8 operator/(floats8 x, floats8 y) { EACH8(x.x[i] / y.x[i]) }
FUNCTION floats8 exp8(floats8 x) { EACH8(exp(x.x[i])) }
FUNCTION floats8 tanh8(floats8 x) { EACH8(tanh(x.x[i])) }
FUNCTION floats8 max8(floats8 x, floats8 y) { EACH8(fmax(x.x[i], y.x[i])) }
FUNCTION floats8 fma8(floats8 x, floats8 y, floats8 z) { EACH8(fma(x.x[i], y.x[i], z.x[i])) }
FUNCTION floats8 within8(floats8 x, floats8 others, int first, int last) {
  EACH8(i >= first && i <= last ? x.x[i] : others.x[i])
}
FUNCTION floats8 vload8(int at, const float *from) { EACH8(from[at * 8 + i]) }
FUNCTION void vstore8(floats8 x, int at, float *to) {
#pragma unroll
  for (int i = 0; i < 8; i++) {
    to[at * 8 + i] = x.x[i];
  }
}
// Four floats, at a boundary of four in local memory.
struct alignas(16) floats4 {
  float x, y, z, w;
};
FUNCTION floats4 load_local4(const float *from) { return *(const floats4 *)from; }
FUNCTION void store_local8(floats8 x, float *to) {
  ((floats4 *)to)[0] = {x.x[0], x.x[1], x.x[2], x.x[3]};
  ((floats4 *)to)[1] = {x.x[4], x.x[5], x.x[6], x.x[7]};
}
FUNCTION float largest8(floats8 a) {
  return fmax(
      fmax(fmax(a.x[0], a.x[4]), fmax(a.x[2], a.x[6])), fmax(fmax(a.x[1], a.x[5]), fmax(a.x[3], a.x[7])));
}
FUNCTION float sum8(floats8 a) {
  return ((a.x[0] + a.x[4]) + (a.x[2] + a.x[6])) + ((a.x[1] + a.x[5]) + (a.x[3] + a.x[7]));
}
FUNCTION float load_number(const uchar *base, ulong index, int type);
FUNCTION floats8 load8(const uchar *base, ulong index, int type) { EACH8(load_number(base, index + i, type)) }
// Warps that wait make room for others.
FUNCTION void fetch_early(const uchar *, ulong, int) {}
