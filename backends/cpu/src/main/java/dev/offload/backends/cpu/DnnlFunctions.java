package dev.offload.backends.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The C functions that {@link Dnnl} calls; signatures as in oneapi/dnnl/dnnl.h, version 3.11, and
 * omp.h. Handles of oneDNN objects are {@code JAVA_LONG}: they mean nothing to Java.
 */
record DnnlFunctions(
    MethodHandle effectiveIsa,
    MethodHandle setThreads,
    MethodHandle engineCreate,
    MethodHandle engineDestroy,
    MethodHandle streamCreate,
    MethodHandle streamDestroy,
    MethodHandle describeStrides,
    MethodHandle describeTag,
    MethodHandle descriptionBytes,
    MethodHandle descriptionDestroy,
    MethodHandle memoryCreate,
    MethodHandle memorySetData,
    MethodHandle memoryDestroy,
    MethodHandle attributesCreate,
    MethodHandle attributesSetScratchpad,
    MethodHandle attributesSetPostOperations,
    MethodHandle attributesDestroy,
    MethodHandle postOperationsCreate,
    MethodHandle postOperationsAppendSum,
    MethodHandle postOperationsDestroy,
    MethodHandle matmulDescribe,
    MethodHandle reorderDescribe,
    MethodHandle primitiveQuery,
    MethodHandle primitiveQueryMemory,
    MethodHandle primitiveDescriptionDestroy,
    MethodHandle primitiveCreate,
    MethodHandle primitiveExecute,
    MethodHandle primitiveDestroy) {

  /** Binds the functions of libraries that are loaded already. */
  static DnnlFunctions link(SymbolLookup libraries) {
    Binder dnnl = new Binder(Linker.nativeLinker(), libraries);
    return new DnnlFunctions(
        dnnl.bind("dnnl_get_effective_cpu_isa"),
        dnnl.bindVoid("omp_set_num_threads", JAVA_INT),
        dnnl.bind("dnnl_engine_create", ADDRESS, JAVA_INT, JAVA_LONG),
        dnnl.bind("dnnl_engine_destroy", JAVA_LONG),
        dnnl.bind("dnnl_stream_create", ADDRESS, JAVA_LONG, JAVA_INT),
        dnnl.bind("dnnl_stream_destroy", JAVA_LONG),
        dnnl.bind(
            "dnnl_memory_desc_create_with_strides", ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS),
        dnnl.bind(
            "dnnl_memory_desc_create_with_tag", ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
        dnnl.bindLong("dnnl_memory_desc_get_size", JAVA_LONG),
        dnnl.bind("dnnl_memory_desc_destroy", JAVA_LONG),
        dnnl.bind("dnnl_memory_create", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG),
        dnnl.bind("dnnl_memory_set_data_handle", JAVA_LONG, JAVA_LONG),
        dnnl.bind("dnnl_memory_destroy", JAVA_LONG),
        dnnl.bind("dnnl_primitive_attr_create", ADDRESS),
        dnnl.bind("dnnl_primitive_attr_set_scratchpad_mode", JAVA_LONG, JAVA_INT),
        dnnl.bind("dnnl_primitive_attr_set_post_ops", JAVA_LONG, JAVA_LONG),
        dnnl.bind("dnnl_primitive_attr_destroy", JAVA_LONG),
        dnnl.bind("dnnl_post_ops_create", ADDRESS),
        dnnl.bind("dnnl_post_ops_append_sum", JAVA_LONG, JAVA_FLOAT, JAVA_INT, JAVA_INT),
        dnnl.bind("dnnl_post_ops_destroy", JAVA_LONG),
        dnnl.bind(
            "dnnl_matmul_primitive_desc_create",
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG),
        dnnl.bind(
            "dnnl_reorder_primitive_desc_create",
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG),
        dnnl.bind("dnnl_primitive_desc_query", JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS),
        dnnl.bindLong("dnnl_primitive_desc_query_md", JAVA_LONG, JAVA_INT, JAVA_INT),
        dnnl.bind("dnnl_primitive_desc_destroy", JAVA_LONG),
        dnnl.bind("dnnl_primitive_create", ADDRESS, JAVA_LONG),
        dnnl.bind("dnnl_primitive_execute", JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS),
        dnnl.bind("dnnl_primitive_destroy", JAVA_LONG));
  }

  private record Binder(Linker linker, SymbolLookup libraries) {

    /** A function that returns an int: a status in all cases but one. */
    MethodHandle bind(String name, MemoryLayout... arguments) {
      return bind(name, FunctionDescriptor.of(JAVA_INT, arguments));
    }

    MethodHandle bindLong(String name, MemoryLayout... arguments) {
      return bind(name, FunctionDescriptor.of(JAVA_LONG, arguments));
    }

    MethodHandle bindVoid(String name, MemoryLayout... arguments) {
      return bind(name, FunctionDescriptor.ofVoid(arguments));
    }

    private MethodHandle bind(String name, FunctionDescriptor signature) {
      return linker.downcallHandle(libraries.findOrThrow(name), signature);
    }
  }
}
