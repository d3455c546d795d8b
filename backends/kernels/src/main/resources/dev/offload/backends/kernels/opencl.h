// What the kernels need of OpenCL C 1.2 beyond its own words.
#pragma OPENCL FP_CONTRACT OFF
#define FUNCTION static inline
// Memory shared by a work-group whose size is given at launch: last among the parameters, first in the body.
#define LOCAL_PARAMETER(name) , __local float *name
#define LOCAL_MEMORY(name)

FUNCTION float load_f16(const __global uchar *at) { return vload_half(0, (const __global half *)at); }
FUNCTION void store_f16(__global uchar *at, float x) { vstore_half_rte(x, 0, (__global half *)at); }
