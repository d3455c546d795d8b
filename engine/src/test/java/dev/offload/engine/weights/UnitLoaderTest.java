package dev.offload.engine.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.backends.api.Operations;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.Parameter;
import dev.offload.tensors.weights.Part;
import dev.offload.tensors.weights.RandomSource;
import dev.offload.tensors.weights.Role;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class UnitLoaderTest {
  private static final long MEMORY = 256L << 20;
  private static final long BASE = 128;

  private final UnitFiller filler = new SourceFiller(new RandomSource(3, 1, 2));
  private final WeightUnit unit =
      new WeightUnit(
          UnitId.of(UnitId.Kind.MLP, 0),
          List.of(
              vector(Role.FEED_FORWARD_NORM, 701),
              matrix(Role.UP, 5003, 701),
              matrix(Role.DOWN, 701, 5003),
              matrix(Role.SHARED_GATE, 1, 701),
              matrices(Role.KEY_UP, 3, 1501, 303)));

  private static Parameter matrices(Role role, int count, int rows, int columns) {
    Parameter one = matrix(role, count * rows, columns);
    return new Parameter(role, DType.F32, one.rows(), columns, one.parts(), count);
  }

  private static Parameter matrix(Role role, int rows, int columns) {
    List<Part> parts = List.of(Part.matrix(role.name(), rows, columns));
    return new Parameter(role, DType.F32, rows, columns, parts);
  }

  private static Parameter vector(Role role, int length) {
    return new Parameter(role, DType.F32, 1, length, List.of(Part.vector(role.name(), length)));
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void shouldLoadInPartsWhatIsPackedAsAWhole(DType dtype) {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    try (Device device = backend.open(new DeviceOptions(0, MEMORY, MEMORY, 2))) {
      Operations operations = device.operations();
      UnitLayout image = UnitLayout.image(unit, dtype, operations);
      UnitLoader.Area area = UnitLoader.Area.of(List.of(image), operations);
      assertTrue(area.rowMajor() + area.packed() < 12 << 20, area.toString());
      try (Stream stream = device.newStream("test");
          PinnedBuffer host = device.allocatePinned("host", area.rowMajor());
          DeviceBuffer arrived = device.allocate("arrived", area.rowMajor());
          DeviceBuffer packed = device.allocate("packed", area.packed());
          DeviceBuffer home = device.allocate("home", BASE + image.bytes());
          PinnedBuffer hostHome = device.allocatePinned("home", BASE + image.bytes());
          PinnedBuffer found = device.allocatePinned("found", image.bytes());
          PinnedBuffer expected = device.allocatePinned("expected", image.bytes())) {
        UnitLoader loader = new UnitLoader(filler, operations, stream, host, arrived);
        loader.load(image.at(home, BASE));
        loader.load(image, hostHome, BASE, packed);
        stream.copyToHost(home, BASE, found, 0, image.bytes());
        packWhole(device, stream, image, dtype, expected);
        for (UnitLayout.Entry entry : image.entries()) {
          var bytes = expected.segment().asSlice(entry.offset(), entry.bytes());
          var onDevice = found.segment().asSlice(entry.offset(), entry.bytes());
          var onHost = hostHome.segment().asSlice(BASE + entry.offset(), entry.bytes());
          assertEquals(-1, bytes.mismatch(onDevice), () -> entry + " on the device");
          assertEquals(-1, bytes.mismatch(onHost), () -> entry + " on the host");
        }
      }
    }
  }

  private void packWhole(
      Device device, Stream stream, UnitLayout image, DType dtype, PinnedBuffer to) {
    UnitLayout rowMajor = UnitLayout.rowMajor(unit, dtype);
    try (PinnedBuffer host = device.allocatePinned("rows", rowMajor.bytes());
        DeviceBuffer rows = device.allocate("rows", rowMajor.bytes());
        DeviceBuffer whole = device.allocate("whole", image.bytes())) {
      for (UnitLayout.Entry entry : rowMajor.entries()) {
        filler.fill(
            entry.parameter(),
            entry.dtype(),
            host.segment().asSlice(entry.offset(), entry.bytes()));
      }
      stream.copyToDevice(host, 0, rows, 0, rowMajor.bytes());
      for (UnitLayout.Entry entry : image.entries()) {
        UnitLayout.Entry source = rowMajor.same(entry);
        if (entry.packed()) {
          device
              .operations()
              .pack(stream, UnitLayout.weight(source, rows, 0), UnitLayout.weight(entry, whole, 0));
        } else {
          stream.copyOnDevice(rows, source.offset(), whole, entry.offset(), entry.bytes());
        }
      }
      stream.copyToHost(whole, 0, to, 0, image.bytes());
      stream.synchronize();
    }
  }
}
