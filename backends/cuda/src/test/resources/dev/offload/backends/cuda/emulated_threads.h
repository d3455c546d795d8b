// CUDA C++ as C++, one block of threads at a time on one core: each thread is a context of its own, which goes on until
// it waits for others. First in the text.
#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __shared__
#define __syncthreads() emulated::wait_for_block()
#define threadIdx (*emulated::current)
#define blockIdx emulated::block
#define blockDim emulated::block_size

using std::exp;
using std::fma;
using std::fmax;
using std::tanh;

namespace emulated {
const int WARP = 32;
const int STACK_BYTES = 64 << 10;

struct Two {
  int x, y;
};

// What a lane gives the others of its warp.
struct Lane {
  unsigned a[4];
  unsigned b[2];
  float x;
  const unsigned short *row;
};

struct Barrier {
  int arrived = 0;
  long passed = 0;
};

struct Thread : Two {
  ucontext_t start;
  jmp_buf at;
  bool begun = false;
  bool ended = false;
  std::vector<std::pair<void *, const void *>> copies;  // begun, and not awaited
  std::vector<char> stack = std::vector<char>(STACK_BYTES);
};

Thread *current;
Two block, block_size;
jmp_buf scheduler;
std::vector<Thread> *threads;
std::vector<Barrier> barriers;  // of the block, then of the warps
std::vector<Lane> lanes;
bool moved;

void yield() {
  if (!setjmp(current->at)) {
    longjmp(scheduler, 1);
  }
}

void wait(Barrier &barrier, int count) {
  long passed = barrier.passed;
  moved = true;
  if (++barrier.arrived == count) {
    barrier.arrived = 0;
    barrier.passed++;
    return;
  }
  while (barrier.passed == passed) {
    yield();
  }
  moved = true;
}

void wait_for_block() { wait(barriers[0], block_size.x); }
void wait_for_warp() { wait(barriers[1 + current->x / WARP], WARP); }
Lane &mine() { return lanes[current->x]; }
Lane &lane(int i) { return lanes[current->x / WARP * WARP + i]; }
int lane_number() { return current->x % WARP; }

void (*body)();
void begin() {
  body();
  current->ended = true;
  moved = true;
  longjmp(scheduler, 1);
}

// Runs the threads of a block in turn, the last first if backwards: what barriers order is the same.
void run_block(std::vector<Thread> &all, bool backwards) {
  int left = (int)all.size();
  threads = &all;
  while (left > 0) {
    moved = false;
    for (int i = 0; i < (int)all.size(); i++) {
      Thread &next = all[backwards ? all.size() - 1 - i : i];
      if (next.ended) {
        continue;
      }
      current = &next;
      if (!setjmp(scheduler)) {
        if (next.begun) {
          longjmp(next.at, 1);
        }
        next.begun = true;
        setcontext(&next.start);
      }
      left -= next.ended;
    }
    if (!moved) {
      fprintf(stderr, "threads wait for others that do not come\n");
      abort();
    }
  }
}

template <class... Arguments, size_t... I>
void call(void (*kernel)(Arguments...), const unsigned long long *slots, std::index_sequence<I...>) {
  kernel(*(Arguments *)&slots[I]...);
}

template <class... Arguments>
void launch(
    void (*kernel)(Arguments...), const unsigned long long *slots, int blocks, int second, int size, int backwards) {
  static void (*launched)(Arguments...);
  static const unsigned long long *given;
  launched = kernel;
  given = slots;
  body = [] { call(launched, given, std::index_sequence_for<Arguments...>()); };
  std::vector<Thread> all(size);
  for (int n = 0; n < blocks * second; n++) {
    block = {n % blocks, n / blocks};
    block_size = {size, 1};
    barriers.assign(1 + (size + WARP - 1) / WARP, Barrier());
    lanes.assign((size + WARP - 1) / WARP * WARP, Lane());
    for (int i = 0; i < size; i++) {
      Thread &thread = all[i];
      thread.x = i;
      thread.y = 0;
      thread.begun = thread.ended = false;
      thread.copies.clear();
      getcontext(&thread.start);
      thread.start.uc_stack.ss_sp = thread.stack.data();
      thread.start.uc_stack.ss_size = STACK_BYTES;
      thread.start.uc_link = nullptr;
      makecontext(&thread.start, begin, 0);
    }
    run_block(all, backwards);
  }
}
}  // namespace emulated

static float __uint_as_float(unsigned x) {
  float y;
  memcpy(&y, &x, 4);
  return y;
}
static unsigned __float_as_uint(float x) {
  unsigned y;
  memcpy(&y, &x, 4);
  return y;
}
static int atomicCAS(int *at, int expected, int value) {
  int was = *at;
  *at = was == expected ? value : was;
  return was;
}
