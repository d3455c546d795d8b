package dev.offload.planner.peers;

/**
 * Where a layer's weights really are. FlexGen moves whole matrices: of a layer's matrices, in
 * order, each goes where its middle falls when the asked-for shares are laid out as disk, host,
 * device. So 80 % in host memory puts both feed-forward matrices there.
 *
 * @param host share in host memory
 * @param disk share on disk; the rest is on the device
 */
record WeightHomes(double host, double disk) {
  /**
   * Homes of a layer.
   *
   * @param matrices how many matrices of one size the layer has
   */
  static WeightHomes of(FlexGenPolicy policy, int matrices) {
    int toHost = 100 - policy.weightsDevicePercent();
    int toDisk = toHost - policy.weightsHostPercent();
    int host = 0;
    int disk = 0;
    for (int i = 0; i < matrices; i++) {
      double middle = 100 * (i + 0.5) / matrices;
      if (middle < toDisk) {
        disk++;
      } else if (middle < toHost) {
        host++;
      }
    }
    return new WeightHomes((double) host / matrices, (double) disk / matrices);
  }
}
