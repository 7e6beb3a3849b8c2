// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Glibc

/// What the kernel says about this process: the metrics that every Prometheus client shows.
struct ProcessFacts: Equatable {
    var cpuSeconds: Double
    var residentBytes: Double
    var openDescriptors: Double

    static var now: ProcessFacts {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let times = [usage.ru_utime, usage.ru_stime]
        return ProcessFacts(
            cpuSeconds: times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 },
            residentBytes: residentPages() * Double(sysconf(Int32(_SC_PAGESIZE))),
            openDescriptors: openDescriptorCount())
    }

    /// In Prometheus' text format.
    var exposition: String {
        var out = Exposition()
        out.family("process_cpu_seconds_total", type: "counter", help: "user and system time of the process")
        out.sample("process_cpu_seconds_total", "", cpuSeconds)
        out.family("process_open_fds", type: "gauge", help: "open file descriptors of the process")
        out.sample("process_open_fds", "", openDescriptors)
        out.family("process_resident_memory_bytes", type: "gauge", help: "memory of the process that is in RAM")
        out.sample("process_resident_memory_bytes", "", residentBytes)
        return out.text
    }

    /// The second number of `/proc/self/statm`; 0 where there is no `/proc`.
    private static func residentPages() -> Double {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = fread(&buffer, 1, buffer.count, file)
        let fields = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? Double(fields[1]) ?? 0 : 0
    }

    private static func openDescriptorCount() -> Double {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0.0
        while readdir(folder) != nil { count += 1 }
        return max(0, count - 3)  // ".", ".." and the folder itself
    }
}
