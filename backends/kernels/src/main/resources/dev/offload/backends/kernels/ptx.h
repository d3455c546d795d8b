// What the kernels need of PTX: formats, and warps that multiply matrices.
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

// Bits of two numbers rounded to BF16, the first in the lower half.
FUNCTION uint pack_bf16(float first, float second) {
  uint bits = 0;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(second), "f"(first));
#endif
  return bits;
}

FUNCTION uint local_address(const void *generic) { return (uint)__cvta_generic_to_shared(generic); }

// Four matrices of 8 x 8 numbers of 16 bits, transposed; each lane names the row of its number, 16 bytes.
FUNCTION void load_transposed(uint *out, const ushort *row) {
#if __CUDA_ARCH__ >= 750
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(local_address(row))
               : "memory");
#endif
}

// c += a x b: 16 x 8, 16 x 16 and 16 x 8 numbers, spread over a warp as PTX has it for mma.m16n8k16 of .bf16.
FUNCTION void multiply_add(float *c, const uint *a, uint b0, uint b1) {
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// The number of the lane whose number differs in these bits.
FUNCTION float of_neighbour(float x, int bits) { return __shfl_xor_sync(0xffffffffu, x, bits); }

// Begins to copy 16 bytes, at such boundaries, to local memory.
FUNCTION void begin_copy16(ushort *to, const uchar *from) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(local_address(to)),
               "l"(__cvta_generic_to_global(from))
               : "memory");
#endif
}

// Waits for the copies that the work-item has begun.
FUNCTION void await_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}
