/// The host of an AWS service in a region. Source: the partitions of botocore's `endpoints.json` and `partitions.json`.
func awsHost(_ service: String = "s3", region: String) -> String {
    let suffixes = [
        ("cn-", "amazonaws.com.cn"), ("eusc-", "amazonaws.eu"), ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"), ("eu-isoe-", "cloud.adc-e.uk"), ("us-isof-", "csp.hci.ic.gov"),
        ("eu-isof-", "csp.hci.ic.gov"),
    ]
    let suffix = suffixes.first { region.hasPrefix($0.0) }?.1 ?? "amazonaws.com"
    return "\(service).\(region).\(suffix)"
}
