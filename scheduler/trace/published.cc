#include "scheduler/trace/published.h"

#include <algorithm>
#include <utility>

namespace switchyard::scheduler {
namespace {

// "Around 65 % of tasks" repeat at least five times: Weng et al., NSDI'22, section 6.1. The other
// two papers print no such figure (Hu et al. predict from recurring names too, section 4.2), so it
// stands for all three.
constexpr double kRecurring = 0.65;

// Submissions by hour of the day relative to the mean. Hu et al., SC'21, figure 2(b): the sum of
// its four clusters' curves, read from the vector file that the authors published with the figure.
constexpr std::array<double, 24> kHeliosHours = {0.90, 0.84, 0.68, 0.60, 0.56, 0.56, 0.55, 0.51,
                                                 0.56, 0.82, 1.12, 1.24, 1.20, 1.22, 1.33, 1.43,
                                                 1.49, 1.33, 1.10, 1.20, 1.31, 1.22, 1.14, 1.09};

// Weng et al., NSDI'22, figure 3 (tasks submitted by hour of the day): medians of the boxes.
constexpr std::array<double, 24> kPaiHours = {1.39, 0.95, 0.70, 0.59, 0.72, 0.71, 0.77, 0.94,
                                              0.79, 0.93, 1.39, 1.44, 1.01, 0.98, 1.25, 1.29,
                                              1.25, 1.39, 1.07, 1.03, 1.02, 0.90, 0.80, 0.67};

constexpr double kMinute = 60;

Quantiles Minutes(std::vector<Quantiles::Point> points) {
  for (Quantiles::Point& point : points) point.value *= kMinute;
  return Quantiles(std::move(points));
}

// Jeon et al., "Analysis of Large-Scale Multi-Tenant GPU Clusters for DNN Training Workloads",
// ATC'19.
Workload Philly() {
  Workload philly;
  philly.name = "philly";
  philly.source = "Jeon et al., ATC'19";
  // Figure 2: run times in minutes of jobs with 1, 2 to 4, 5 to 8 and more than 8 GPUs, off the
  // notebook that reproduces it (github.com/msr-fiddle/philly-traces, analysis/). What it cuts
  // off beyond 10,000 minutes: Hu et al., SC'21, figure 1(a); the longest is 60 days.
  philly.runtimes = {
      Minutes({{0.005, 0.1},   {0.04, 0.5},     {0.08, 0.8},     {0.15, 1},     {0.21, 1.2},
               {0.25, 2},      {0.31, 5},       {0.39, 10},      {0.49, 20},    {0.57, 30},
               {0.66, 40},     {0.715, 50},     {0.76, 70},      {0.82, 100},   {0.86, 150},
               {0.91, 300},    {0.94, 600},     {0.958, 1000},   {0.975, 2000}, {0.988, 5000},
               {0.994, 10000}, {0.9978, 17500}, {0.9995, 35000}, {1, 86400}}),
      Minutes({{0.01, 0.1},  {0.06, 0.3},   {0.14, 0.5},     {0.22, 1},       {0.26, 2},
               {0.32, 5},    {0.37, 10},    {0.45, 20},      {0.53, 50},      {0.56, 100},
               {0.595, 200}, {0.63, 250},   {0.69, 500},     {0.75, 1000},    {0.83, 2000},
               {0.92, 5000}, {0.97, 10000}, {0.9892, 17500}, {0.9973, 35000}, {1, 86400}}),
      Minutes({{0.005, 0.1},
               {0.04, 0.5},
               {0.08, 1},
               {0.11, 2},
               {0.16, 5},
               {0.22, 10},
               {0.28, 20},
               {0.37, 50},
               {0.43, 100},
               {0.50, 200},
               {0.54, 250},
               {0.61, 500},
               {0.68, 1000},
               {0.76, 2000},
               {0.88, 5000},
               {0.945, 10000},
               {0.9802, 17500},
               {0.9950, 35000},
               {1, 86400}}),
      Minutes({{0.005, 0.1},
               {0.045, 0.5},
               {0.125, 1},
               {0.16, 2},
               {0.20, 5},
               {0.25, 10},
               {0.31, 20},
               {0.41, 50},
               {0.47, 100},
               {0.53, 200},
               {0.62, 260},
               {0.67, 500},
               {0.77, 1000},
               {0.84, 2000},
               {0.92, 5000},
               {0.97, 10000},
               {0.9892, 17500},
               {0.9973, 35000},
               {1, 86400}}),
  };
  // The paper's four classes of size. Their shares are not printed; these give the published mean
  // of 1.75 GPUs a job, with one GPU for most (Hu et al., SC'21, comparison with Philly).
  philly.sizes = {{1, 0.835, 0}, {2, 0.050, 1}, {4, 0.050, 1}, {8, 0.056, 2}, {16, 0.009, 3}};
  // Virtual clusters by their number of machines, as used for Philly by Hu et al. (their artifact,
  // QSSF service, philly_vc.csv).
  philly.tenants = {64, 64, 64, 32, 32, 32, 16, 16, 16, 8, 8};
  philly.hours = kHeliosHours;  // Jeon et al. print none.
  philly.failed = 0.172;        // "Unsuccessful", table 6.
  philly.recurring = kRecurring;
  return philly;
}

// Hu et al., "Characterization and Prediction of Deep Learning Workloads in Large-Scale GPU
// Datacenters", SC'21. Curves are read from the vector files of its artifact
// (github.com/S-Lab-System-Group/HeliosArtifact), the four clusters weighted by their GPU jobs.
Workload Helios() {
  Workload helios;
  helios.name = "helios";
  helios.source = "Hu et al., SC'21";
  // Figure 1(a): run times of GPU jobs in seconds, at powers of two. Median 206 s, mean 6,652 s
  // (the artifact's helios_cluster_summary.csv); the longest 50 days.
  const std::vector<Quantiles::Point> points = {
      {0.040, 1},        {0.049, 2},     {0.064, 4},      {0.077, 8},      {0.107, 16},
      {0.162, 32},       {0.249, 64},    {0.378, 128},    {0.566, 256},    {0.676, 512},
      {0.753, 1024},     {0.841, 2048},  {0.875, 4096},   {0.908, 8192},   {0.944, 16384},
      {0.963, 32768},    {0.978, 65536}, {0.989, 131072}, {0.995, 262144}, {0.998, 524288},
      {0.9997, 1048576}, {1, 4320000}};
  // Large jobs run longer: GPU time by size over jobs by size (figure 6(b) over 6(a)) is 3,700 s a
  // job at one GPU, 10,700 to 16,800 s at two to eight, 20,400 to 28,900 s at 16 and 32. The same
  // curve, stretched to that: its own mean is 6,652 s.
  for (const double factor : {0.7, 1.3, 2.6}) {
    std::vector<Quantiles::Point> stretched = points;
    for (size_t i = 0; i + 1 < points.size(); ++i) {
      stretched[i].value = std::min(points[i].value * factor, points.back().value / 2);
    }
    helios.runtimes.emplace_back(std::move(stretched));
  }
  // Figure 6(a): jobs by number of GPUs. Above 64 there are 0.26 %, taken as 128.
  helios.sizes = {{1, 0.7218, 0},  {2, 0.0256, 1},  {4, 0.0575, 1},  {8, 0.1422, 1},
                  {16, 0.0303, 2}, {24, 0.0034, 1}, {32, 0.0124, 2}, {48, 0.0027, 1},
                  {64, 0.0013, 2}, {128, 0.0026, 1}};
  // 105 virtual clusters in four clusters (table 1): 26 in one. Their sizes fall off as users' GPU
  // time does: the top 5 % of users hold half of it or more (figure 8(a)).
  helios.tenants = LognormalWeights(26, 1.5);
  helios.hours = kHeliosHours;
  helios.failed = 0.155;  // GPU jobs, figure 7(a).
  helios.recurring = kRecurring;
  return helios;
}

// Weng et al., "MLaaS in the Wild: Workload Analysis and Scheduling in Large-Scale Heterogeneous
// GPU Clusters", NSDI'22. Curves are read off the notebook of the trace's repository
// (github.com/alibaba/clusterdata, cluster-trace-gpu-v2020, figures/analysis-02 to -04).
Workload Pai() {
  Workload pai;
  pai.name = "pai";
  pai.source = "Weng et al., NSDI'22";
  // Figure 4(a): run times of tasks in seconds.
  pai.runtimes = {Quantiles({{0.02, 10},
                             {0.05, 15},
                             {0.10, 25},
                             {0.14, 40},
                             {0.20, 65},
                             {0.26, 100},
                             {0.345, 200},
                             {0.42, 300},
                             {0.515, 600},
                             {0.60, 1000},
                             {0.70, 2000},
                             {0.77, 3600},
                             {0.89, 10000},
                             {0.93, 16200},
                             {0.97, 30000},
                             {0.993, 100000},
                             {1, 1000000}})};
  // Figure 2(b) gives the share of instances in tasks of at least n instances; divided by n and
  // normalised it is the share of tasks. An instance is a whole device here, where PAI often gives
  // it a part of one; the largest tasks (400 and more instances) are left out.
  pai.sizes = {{1, 0.735, 0},  {4, 0.120, 0},  {8, 0.050, 0},   {14, 0.041, 0},
               {30, 0.037, 0}, {50, 0.010, 0}, {100, 0.006, 0}, {200, 0.001, 0}};
  // Figure 2(a) and section 3.1: tasks per user, the top 5 % of users hold most of them. 200 of
  // about 1,300 users.
  pai.tenants = LognormalWeights(200, 2.1);
  pai.hours = kPaiHours;
  pai.failed = 0.16;  // Not printed; between the other two.
  pai.recurring = kRecurring;
  return pai;
}

}  // namespace

const Workload* FindWorkload(absl::string_view name) {
  static const std::vector<Workload> kWorkloads = {Philly(), Helios(), Pai()};
  for (const Workload& workload : kWorkloads) {
    if (absl::string_view(workload.name) == name) return &workload;
  }
  return nullptr;
}

std::vector<std::string> WorkloadNames() { return {"philly", "helios", "pai"}; }

}  // namespace switchyard::scheduler
