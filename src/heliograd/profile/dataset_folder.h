// The user's own pictures: DIR/CLASS/PICTURE, or DIR/train/CLASS/PICTURE and DIR/test/CLASS/PICTURE.
#pragma once

#include <memory>
#include <string>

#include "heliograd/base/result.h"
#include "heliograd/profile/dataset.h"

namespace heliograd {

/// Classes are the folders in alphabetical order of bytes; those of train/ hold for test/ too. Pictures (three
/// channels, sizes may differ) are read when they are asked for, so that any number of them may lie there; other files
/// in a class are passed over, an empty class is an error. Normalisation: the means and deviations of ImageNet's
/// training images that is commonly used, 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225. Without train/ and test/ above,
/// all pictures train and there is no test part.
Result<std::shared_ptr<const Dataset>> OpenPictureFolder(const std::string& folder, DatasetPart part);

}  // namespace heliograd
