// OpenCL C words in CUDA C++, as far as the kernels use them.
#define __kernel extern "C" __global__
#define __global
#define __local
#define FUNCTION static __device__ __forceinline__
#define LOCAL_PARAMETER(name)
#define LOCAL_MEMORY(name) extern __shared__ float name[];
#define CLK_LOCAL_MEM_FENCE
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

FUNCTION float load_f16(const uchar *at) {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(*(const ushort *)at));
  return x;
}
FUNCTION void store_f16(uchar *at, float x) {
  ushort bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  *(ushort *)at = bits;
}
