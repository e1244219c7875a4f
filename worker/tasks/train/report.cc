#include "worker/tasks/train/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/log/log.h"

namespace switchyard::worker {
namespace {

using switchyard::v1::ClassFigures;

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// RFC 4180.
std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace

std::vector<ClassFigures> ConfusionMatrix::Figures(const std::vector<std::string>& names) const {
  std::vector<ClassFigures> all;
  for (size_t i = 0; i < classes_; ++i) {
    uint64_t predicted = 0;
    uint64_t support = 0;
    for (size_t j = 0; j < classes_; ++j) {
      predicted += at(j, i);
      support += at(i, j);
    }
    ClassFigures figures;
    figures.set_name(names[i]);
    figures.set_precision(Share(at(i, i), predicted));
    figures.set_recall(Share(at(i, i), support));
    figures.set_support(support);
    all.push_back(std::move(figures));
  }
  return all;
}

std::string ConfusionMatrix::Json(const std::vector<std::string>& names) const {
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back(JsonQuote(name));
  std::vector<std::string> rows;
  for (size_t i = 0; i < classes_; ++i) {
    const auto begin = counts_.begin() + static_cast<int64_t>(i * classes_);
    rows.push_back(
        absl::StrCat("[", absl::StrJoin(begin, begin + static_cast<int64_t>(classes_), ","), "]"));
  }
  return absl::StrCat("{\"classes\":[", absl::StrJoin(quoted, ","), "],\n\"matrix\":[\n",
                      absl::StrJoin(rows, ",\n"), "]}\n");
}

std::string PerClassCsv(const std::vector<ClassFigures>& figures) {
  std::string csv = "class,precision,recall,f1,support\n";
  for (const ClassFigures& one : figures) {
    const double sum = one.precision() + one.recall();
    const double f1 = sum == 0 ? 0 : 2 * one.precision() * one.recall() / sum;
    absl::StrAppend(
        &csv, CsvField(one.name()),
        absl::StrFormat(",%.6f,%.6f,%.6f,%d\n", one.precision(), one.recall(), f1, one.support()));
  }
  return csv;
}

std::string CurvesCsv(const std::vector<EpochFigures>& history) {
  std::string csv = "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy\n";
  int epoch = 0;
  for (const EpochFigures& figures : history) {
    absl::StrAppendFormat(&csv, "%d,%.6f,%.6f", ++epoch, figures.train.mean_loss(),
                          figures.train.accuracy());
    if (figures.validation.samples > 0) {
      absl::StrAppendFormat(&csv, ",%.6f,%.6f\n", figures.validation.mean_loss(),
                            figures.validation.accuracy());
    } else {
      csv += ",,\n";
    }
  }
  return csv;
}

}  // namespace switchyard::worker
