package dev.offload.planner.hardware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.CopyRate.Piece;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.Processor.Product;
import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class HardwareJsonTest {
  private static final HardwareProfile PROFILE =
      withProducts(Presets.load().find("h200").profile());

  @TempDir Path folder;
  private Path file;

  private static HardwareProfile withProducts(HardwareProfile plain) {
    Processor device = plain.device();
    return new HardwareProfile(
        plain.name(),
        plain.title(),
        new Processor(
            device.memoryBytesPerSecond(),
            device.launchSeconds(),
            device.peakFlops(),
            List.of(
                new Product(DType.BF16, 4096, 1024, 1, 1.25e-6),
                new Product(DType.F32, 4096, 1024, 512, 3.5e-4, 3.4e-4)),
            device.attentionBytesPerSecond(),
            device.attentionFlops()),
        plain.deviceMemoryBytes(),
        new Link(measured(plain.link().toDevice()), plain.link().toHost(), 1.016E11),
        plain.host(),
        plain.hostMemoryBytes(),
        plain.sharing(),
        plain.disk(),
        plain.assumptions());
  }

  private static CopyRate measured(CopyRate rate) {
    List<Piece> pieces =
        List.of(new Piece(65_536, 4e-6, 0, 1), new Piece(1_048_576, 2.2e-5, 0.5, 0.25));
    return new CopyRate(rate.bytesPerSecond(), rate.latencySeconds(), pieces);
  }

  @BeforeEach
  void write() throws IOException {
    file = folder.resolve("new/profile.json");
    HardwareJson.write(PROFILE, file);
  }

  @Test
  void shouldReadWhatItWrote() throws IOException {
    assertEquals(PROFILE, HardwareJson.read(file));
    try (var files = Files.list(file.getParent())) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @Test
  void shouldReadEveryPresetItWrote() throws IOException {
    for (Preset each : Presets.load().all()) {
      HardwareJson.write(each.profile(), file);
      assertEquals(each.profile(), HardwareJson.read(file));
    }
  }

  @Test
  void shouldPutAProductOnALine() throws IOException {
    assertTrue(
        Files.readAllLines(file).stream()
            .anyMatch(
                line ->
                    line.contains("\"outputs\" : 4096, \"inputs\" : 1024")
                        && line.contains("\"rows\" : 512")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"schema\" : \"offload-hardware-1\"|\"schema\" : \"offload-hardware-9\"|schema is \"offload-hardware-9\"; it must be offload-hardware-1",
        "\"cores\" : 16|\"cores\" : 0|sharing.cores is 0; it must be a whole number from 1",
        "\"cores\" : 16|\"cors\" : 16|sharing.cores is missing",
        "\"device_is_host\" : false|\"device_is_host\" : \"no\"|sharing.device_is_host is \"no\"; it must be true or false",
        "\"rows\" : 512|\"rows\" : 1.5|device.products[1].rows is 1.5",
        "\"rows\" : 512|\"rows\" : 512, \"speed\" : 3|device.products[1].speed is 3; it is no field",
        "\"dtype\" : \"F32\"|\"dtype\" : \"F64\"|device.products[1].dtype is \"F64\"; it must be one of [F32, F16, BF16]",
        "\"BF16\" : |\"BF17\" : |device.peak_flops.BF17 is 8.13E14; it is no field",
        "\"both_bytes_per_s\" : 1.016E11|\"both_bytes_per_s\" : -1|link.both_bytes_per_s is -1",
        "\"latency_s\" : |\"latency_s\" : -1, \"was\" : |link.to_device.latency_s is -1",
        "\"memory_bytes\" : 150754820096|\"memory_bytes\" : \"much\"|device.memory_bytes is \"much\"",
        "\"bytes\" : 1048576|\"bytes\" : 65536|link.to_device.pieces[1].bytes is 65536; it must be a whole number from 65537",
        "\"cores\" : 0.5|\"cores\" : -1|link.to_device.pieces[1].cores is -1",
        "\"core_bytes_per_s\" : |\"core_bytes_per_s\" : 1e20, \"was\" : |sharing.core_bytes_per_s is 1.0E20; it must be a number from",
        "\"copy_cores\" : |\"copy_cores\" : 17, \"was\" : |sharing.copy_cores is 17; it must be a number from",
        "\"lone_read_bytes_per_s\" : |\"lone_read_bytes_per_s\" : 1e20, \"was\" : |disk.lone_read_bytes_per_s is 1.0E20; it must be a number from",
        "\"busy_read_bytes_per_s\" : |\"busy_read_bytes_per_s\" : 1e20, \"was\" : |disk.busy_read_bytes_per_s is 1.0E20; it must be a number from",
        "\"title\"|\"titel\"|title is missing; it must be a text",
        "\"disk\" : {|\"disk\" : 3, \"was\" : {|disk is 3; it must be an object",
        "\"assumptions\" : [|\"assumptions\" : {}, \"was\" : [|assumptions is {}; it must be a list",
        "\"title\" : |\"extra\" : 1, \"title\" : |extra is 1; it is no field",
        "\"schema\"|schema|broken JSON at line 2"
      })
  void shouldRefuseWithFileFieldAndValue(String written, String instead, String message)
      throws IOException {
    String text = Files.readString(file);
    int at = text.indexOf(written);
    assertTrue(at >= 0, () -> written + " is not in " + text);
    Files.writeString(
        file, text.substring(0, at) + instead + text.substring(at + written.length()));
    ModelException e = assertThrows(ModelException.class, () -> HardwareJson.read(file));
    assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  /** However its rate is rounded. */
  @Test
  void shouldLeaveOneReaderNoMoreThanTheDiskGives() {
    for (int i = 1; i <= 1000; i++) {
      Disk disk = new Disk(1, i * 0.1e9, 1);
      Disk faster = disk.withReads(disk.readBytesPerSecond() + 1e9);
      assertEquals(faster.readBytesPerSecond(), faster.loneReadBytesPerSecond(), 1e-3);
    }
    Disk half = new Disk(1, 2e9, 1e9, 1.5e9, 0.5, 1).withReads(4e9);
    assertEquals(new Disk(1, 4e9, 2e9, 3e9, 1, 1), half);
  }
}
