// What the kernels need of OpenCL C 1.2 beyond its own words.
#pragma OPENCL FP_CONTRACT OFF
#define FUNCTION static inline
// Memory shared by a work-group whose size is given at launch: last among the parameters, first in the body.
#define LOCAL_PARAMETER(name) , __local float *name
#define LOCAL_MEMORY(name)

FUNCTION float load_f16(const __global uchar *at) { return vload_half(0, (const __global half *)at); }
FUNCTION void store_f16(__global uchar *at, float x) { vstore_half_rte(x, 0, (__global half *)at); }

// Eight floats that a work-item computes with at once.
typedef float8 floats8;
FUNCTION floats8 zero8(void) { return (floats8)(0.0f); }
FUNCTION floats8 fma8(floats8 a, floats8 b, floats8 c) { return fma(a, b, c); }
FUNCTION float sum8(floats8 x) {
  float4 four = x.lo + x.hi;
  float2 two = four.lo + four.hi;
  return two.x + two.y;
}
FUNCTION floats8 splat8(float x) { return (floats8)(x); }
// The exponential function of numbers that are not above 0, to two units in the last place; what would be
// subnormal is 0. Coefficients of Cephes, expf. PoCL's own takes three times as long.
FUNCTION floats8 exp8(floats8 x) {
  // Adding 1.5 * 2^23 rounds, and leaves the whole number in the lowest bits.
  floats8 rounded = fma(x, splat8(1.44269504f), splat8(12582912.0f));
  floats8 n = rounded - splat8(12582912.0f);
  floats8 r = fma(n, splat8(-0.693359375f), x);
  r = fma(n, splat8(2.12194440e-4f), r);
  floats8 p = fma(splat8(1.9875691500e-4f), r, splat8(1.3981999507e-3f));
  p = fma(p, r, splat8(8.3334519073e-3f));
  p = fma(p, r, splat8(4.1665795894e-2f));
  p = fma(p, r, splat8(1.6666665459e-1f));
  p = fma(p, r, splat8(5.0000001201e-1f));
  p = fma(p, r * r, r + splat8(1.0f));
  floats8 power = as_float8((as_int8(rounded) << 23) + (127 << 23));
  return select(p * power, zero8(), x < splat8(-87.0f));
}
// Four floats, at a boundary of four in local memory.
typedef float4 floats4;
FUNCTION floats4 load_local4(const __local float *from) { return *(const __local float4 *)from; }
FUNCTION void store_local8(floats8 x, __local float *to) {
  ((__local float4 *)to)[0] = x.lo;
  ((__local float4 *)to)[1] = x.hi;
}
FUNCTION floats8 tanh8(floats8 x) { return tanh(x); }
FUNCTION floats8 max8(floats8 a, floats8 b) { return fmax(a, b); }
FUNCTION float largest8(floats8 x) {
  float4 four = fmax(x.lo, x.hi);
  float2 two = fmax(four.lo, four.hi);
  return fmax(two.x, two.y);
}
// The numbers from first to last, and others for the rest.
FUNCTION floats8 within8(floats8 x, floats8 others, int first, int last) {
  int8 number = (int8)(0, 1, 2, 3, 4, 5, 6, 7);
  return select(others, x, number >= (int8)(first) && number <= (int8)(last));
}
// Asks a processor for a number that is read soon, which the order of reads does not tell it.
FUNCTION void fetch_early(const __global uchar *base, ulong index, int type) {
#ifdef __x86_64__
  __builtin_prefetch((const void *)(ulong)(base + (type == 0 ? 4 : 2) * index));
#endif
}
// Eight numbers of a format, at any boundary.
FUNCTION floats8 load8(const __global uchar *base, ulong index, int type) {
  if (type == 0) {
    return vload8(0, (const __global float *)(base + 4 * index));
  }
  if (type == 1) {
    return vload_half8(0, (const __global half *)(base + 2 * index));
  }
  return as_float8(convert_uint8(vload8(0, (const __global ushort *)(base + 2 * index))) << 16);
}
